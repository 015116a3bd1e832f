import type { Figure } from "../figure.ts";
import { coldStart } from "./cold_start.ts";
import { handoffFigures } from "./handoffs.ts";
import { readFigures } from "./reads.ts";
import { readsBesideWrites } from "./reads_beside_writes.ts";
import { submissionFigures } from "./submissions.ts";

/** Every figure, in the order in which they are measured. */
export const FIGURES: Figure[] = [
  ...submissionFigures,
  ...readFigures,
  readsBesideWrites,
  ...handoffFigures,
  coldStart,
];
