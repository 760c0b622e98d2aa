/** The service worker's cache, for bad connections.
 *
 *  It handles three kinds of requests and leaves all others to the browser: pages (network first, the
 *  cached shell without one), and the storefront's files and product pictures (cache first: the content
 *  of a URL never changes). It never handles API requests, so it cannot leak or repeat one; their
 *  responses are stored by src/api/responseCache.ts. */

/** One build of the storefront, as vite.config.ts writes it into the worker. */
export type Build = {
  /** Changes with any of its files. */
  version: string;
  /** The URL of the script that each of its pages loads first. */
  entry: string;
  /** The URLs of the files to cache on installation: `/static/shop/assets/…`. */
  files: string[];
};

export type Kind = "page" | "file" | "picture" | "other";

/** The page used as shell: the same for everybody, and empty except for the header. */
export const SHELL = "/shop/cart";
const FILES = "/static/shop/assets/";
const PICTURES = "/media/products/";

const SHELL_OF = "shell-";
const LATER = "files";
const SEEN = "pictures";

/** How long to wait for a page before the shell is shown instead, milliseconds. */
export const NETWORK_TIMEOUT = 4000;
/** Statuses with which a proxy says that it cannot reach the shop. */
const UNREACHED = new Set([502, 504]);

export const MOST_PICTURES = { number: 200, bytes: 12_000_000 };
const MOST_FILES = { number: 80, bytes: 3_000_000 };
/** Larger files are not cached, bytes. */
const LARGEST = 600_000;

type Asked = Pick<Request, "method" | "mode" | "url" | "headers">;

export function kindOf(request: Asked, origin: string): Kind {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== origin) return "other";
  if (request.headers.has("Range") || request.headers.has("Authorization")) return "other";
  if (request.mode === "navigate") {
    // Sitemaps and other files are not pages of the storefront.
    return url.pathname.startsWith("/shop") && !/\.\w+\/?$/.test(url.pathname) ? "page" : "other";
  }
  if (url.pathname.startsWith(FILES)) return "file";
  return url.pathname.startsWith(PICTURES) ? "picture" : "other";
}

/** Cache a build completely or not at all, so that the shell never needs a missing file. */
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
        // A server that answers with a page does not have the file.
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

/** Delete old builds except the previous one, which an open tab may still use. */
export async function forgetOldBuilds(version: string): Promise<void> {
  const shells = (await caches.keys()).filter((name) => name.startsWith(SHELL_OF));
  const others = shells.filter((name) => name !== SHELL_OF + version);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

/** The page from the network; the shell if there is no response within `patience` milliseconds. */
export async function networkFirst(
  asked: Promise<Response | undefined>,
  version: string,
  patience = NETWORK_TIMEOUT,
): Promise<Response> {
  const shell = () => caches.match(SHELL, { cacheName: SHELL_OF + version, ignoreVary: true });
  const network = asked.then((answer) => answer ?? Response.error());
  const late = new Promise<undefined>((tell) => setTimeout(tell, patience));
  try {
    const answer = await Promise.race([network, late]);
    if (answer && !UNREACHED.has(answer.status) && answer.type !== "error") return answer;
  } catch {
    // No network: use the shell.
  }
  return (await shell().catch(() => undefined)) ?? network;
}

/** A file or picture from the cache, otherwise from the network; then it is cached in the background
 *  (`afterwards`). */
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

/** Pictures already marked as recently used since the worker started. The cache is ordered by last use. */
const refreshed = new Set<string>();

type Most = { number: number; bytes: number };

async function keep(name: string, url: string, answer: Response, most: Most): Promise<void> {
  try {
    const cache = await caches.open(name);
    await cache.put(url, answer);
    await trim(cache, most);
  } catch {
    // The device is full: free the space. The page has its response anyway.
    await caches.delete(name).catch(() => false);
  }
}

/** Delete the oldest entries until the cache is within its limits. */
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

/** Whether a response may be cached: complete, not redirected, and not opaque (of another origin). */
function mayBeKept(answer: Response): boolean {
  return answer.status === 200 && !answer.redirected && answer.type !== "opaque";
}

function isPage(answer: Response): boolean {
  return answer.headers.get("Content-Type")?.startsWith("text/html") ?? false;
}

/** The size of a response in bytes; a guess if it does not say. */
function sizeOf(answer: Response): number {
  return Number(answer.headers.get("Content-Length") ?? 60_000);
}
