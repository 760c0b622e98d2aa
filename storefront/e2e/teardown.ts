import { rmSync } from "node:fs";

/** The shop of the stories leaves nothing behind; its processes may still write as they end. */
export default function teardown(): void {
  const folder = process.env.STORY_FOLDER;
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
