import { storeContract } from './contract.ts'
import { sqliteDatabase } from './sqlite.ts'

storeContract('SQLite', async () => sqliteDatabase())
