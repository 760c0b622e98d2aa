/** What the service worker keeps, and answers with where the line is bad.
 *
 *  It looks at three kinds of requests and leaves all others to the browser: pages (the shop's own
 *  word first, the kept shell where none comes), the program's files and the goods' pictures (whose
 *  names never mean another content). It sees no answer of the API, so none can be anybody's who
 *  should not have it, and it sends nothing: what people read is kept by the program (src/api/responseCache.ts). */

/** One build of the storefront, as vite.config.ts writes it down. */
export type Build = {
  /** Changes with any file of it. */
  version: string;
  /** The script that every page of it begins with. */
  entry: string;
  /** Files to keep from the beginning, as the pages name them: `/static/shop/assets/…`. */
  files: string[];
};

export type Kind = "page" | "file" | "picture" | "other";

/** A page that is the same for everybody, with nothing on it but the header. */
export const SHELL = "/shop/cart";
const FILES = "/static/shop/assets/";
const PICTURES = "/media/products/";

const SHELL_OF = "shell-";
const LATER = "files";
const SEEN = "pictures";

/** A page that has not begun to come after so long is painted from the shell, milliseconds. */
export const PATIENCE = 4000;
/** A gateway speaks, because it cannot reach the shop. */
const UNREACHED = new Set([502, 504]);

export const MOST_PICTURES = { number: 200, bytes: 12_000_000 };
const MOST_FILES = { number: 80, bytes: 3_000_000 };
/** Larger ones are not kept: the line is bad for who needs them. */
const LARGEST = 600_000;

type Asked = Pick<Request, "method" | "mode" | "url" | "headers">;

export function kindOf(request: Asked, origin: string): Kind {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== origin) return "other";
  if (request.headers.has("Range") || request.headers.has("Authorization")) return "other";
  if (request.mode === "navigate") {
    // Sitemaps and the like are no pages of the program.
    return url.pathname.startsWith("/shop") && !/\.\w+\/?$/.test(url.pathname) ? "page" : "other";
  }
  if (url.pathname.startsWith(FILES)) return "file";
  return url.pathname.startsWith(PICTURES) ? "picture" : "other";
}

/** Keep a build whole, or not at all: a shell never names a file that is not there. */
export async function cacheBuild(build: Build): Promise<void> {
  const name = SHELL_OF + build.version;
  const cache = await caches.open(name);
  try {
    const shell = await fetch(SHELL, { cache: "reload", credentials: "same-origin" });
    if (!mayBeKept(shell) || !(await shell.clone().text()).includes(build.entry)) {
      throw new TypeError("The shop has another build than this worker.");
    }
    await Promise.all(
      build.files.map(async (file) => {
        const answer = await fetch(file);
        // A shop that answers anything with its front page has no such file.
        if (!mayBeKept(answer) || isPage(answer)) throw new TypeError(`${file} did not come.`);
        await cache.put(file, answer);
      }),
    );
    await cache.put(SHELL, shell);
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
}

/** Forget the builds before the last one: a tab of that may still be open. */
export async function forgetOldBuilds(version: string): Promise<void> {
  const shells = (await caches.keys()).filter((name) => name.startsWith(SHELL_OF));
  const others = shells.filter((name) => name !== SHELL_OF + version);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

/** The page as the shop has it; the shell where nothing comes, or not soon. */
export async function networkFirst(
  asked: Promise<Response | undefined>,
  version: string,
  patience = PATIENCE,
): Promise<Response> {
  const shell = () => caches.match(SHELL, { cacheName: SHELL_OF + version, ignoreVary: true });
  const network = asked.then((answer) => answer ?? Response.error());
  const late = new Promise<undefined>((tell) => setTimeout(tell, patience));
  try {
    const answer = await Promise.race([network, late]);
    if (answer && !UNREACHED.has(answer.status) && answer.type !== "error") return answer;
  } catch {
    // No line: what follows is all there is.
  }
  return (await shell().catch(() => undefined)) ?? network;
}

/** A file or a picture: what is kept, else what comes, which is kept beside it. */
export async function cacheFirst(
  request: Request,
  kind: "file" | "picture",
  afterwards: (work: Promise<unknown>) => void,
): Promise<Response> {
  const before = await caches.match(request.url, { ignoreVary: true }).catch(() => undefined);
  if (before) {
    if (kind === "picture" && !refreshed.has(request.url)) {
      refreshed.add(request.url);
      afterwards(keep(SEEN, request.url, before.clone(), MOST_PICTURES));
    }
    return before;
  }
  const answer = await fetch(request);
  const isWanted = mayBeKept(answer) && !isPage(answer) && sizeOf(answer) <= LARGEST;
  if (isWanted) {
    const [name, most] = kind === "file" ? [LATER, MOST_FILES] : [SEEN, MOST_PICTURES];
    afterwards(keep(name, request.url, answer.clone(), most));
  }
  return answer;
}

/** Pictures that moved to the end of the row in this worker's life: the row is by last use. */
const refreshed = new Set<string>();

type Most = { number: number; bytes: number };

async function keep(name: string, url: string, answer: Response, most: Most): Promise<void> {
  try {
    const cache = await caches.open(name);
    await cache.put(url, answer);
    await trim(cache, most);
  } catch {
    // No room on the device. The page has its picture; what was kept makes place for more.
    await caches.delete(name).catch(() => false);
  }
}

/** Forget what was kept first, until no more is there than may be. */
export async function trim(cache: Cache, most: Most): Promise<void> {
  const keys = [...(await cache.keys())].reverse();
  let [number, bytes] = [0, 0];
  for (const key of keys) {
    const answer = await cache.match(key, { ignoreVary: true });
    number += 1;
    bytes += answer ? sizeOf(answer) : 0;
    if (number > most.number || bytes > most.bytes) await cache.delete(key, { ignoreVary: true });
  }
}

/** A whole answer of this very shop, that nothing stood between: no refusal, no detour, none whose
 *  size the browser hides. */
function mayBeKept(answer: Response): boolean {
  return answer.status === 200 && !answer.redirected && answer.type !== "opaque";
}

function isPage(answer: Response): boolean {
  return answer.headers.get("Content-Type")?.startsWith("text/html") ?? false;
}

/** Bytes as they travelled; a guess where the answer does not say. */
function sizeOf(answer: Response): number {
  return Number(answer.headers.get("Content-Length") ?? 60_000);
}
