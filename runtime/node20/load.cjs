// By an alias, so that a missing one is never found further up, where 13 is.
module.exports = require('better-sqlite3-12')
