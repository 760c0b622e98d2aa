import { rmSync } from "node:fs";

/** The shop of the stories leaves nothing behind. */
export default function teardown(): void {
  const folder = process.env.STORY_FOLDER;
  if (folder) rmSync(folder, { recursive: true, force: true });
}
