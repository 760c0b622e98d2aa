import { rmSync } from "node:fs";

/** Delete the tests' shop; its processes may still write while they end. */
export default function teardown(): void {
  const folder = process.env.STORY_FOLDER;
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
