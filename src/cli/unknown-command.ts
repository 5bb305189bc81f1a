/** The error for a command that does not exist, which has an exit status of its own. */
import { OciUnpackError } from '../errors.ts'

export class UnknownCommand extends OciUnpackError {}
