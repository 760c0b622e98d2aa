import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Build,
  cacheBuild,
  cacheFirst,
  forgetOldBuilds,
  kindOf,
  networkFirst,
  SHELL,
  trim,
} from "../src/worker/cache";

/** Cache Storage as the worker uses it, with a row by when something was put in. */
class Cupboard {
  readonly rows = new Map<string, Response>();
  isFull = false;
  match = async (key: Request | string) => this.rows.get(nameOf(key))?.clone();
  keys = async () => [...this.rows.keys()].map((url) => new Request(url));
  delete = async (key: Request | string) => this.rows.delete(nameOf(key));
  put = async (key: Request | string, answer: Response) => {
    if (this.isFull) throw new DOMException("No room", "QuotaExceededError");
    this.rows.delete(nameOf(key));
    this.rows.set(nameOf(key), answer);
  };
}
const nameOf = (key: Request | string) => (typeof key === "string" ? key : key.url);

const SHOP = "http://shop.test";
const PICTURE = `${SHOP}/media/products/a.webp`;
const BUILD: Build = { version: "two", entry: "/x/shop-2.js", files: ["/x/shop-2.js", "/x/a.css"] };

let cupboards: Map<string, Cupboard>;
let served: Record<string, () => Response | Promise<Response>>;
let afterwards: Promise<unknown>[];

beforeEach(() => {
  cupboards = new Map();
  afterwards = [];
  vi.stubGlobal("caches", {
    open: async (name: string) => {
      const there = cupboards.get(name) ?? new Cupboard();
      cupboards.set(name, there);
      return there;
    },
    keys: async () => [...cupboards.keys()],
    delete: async (name: string) => cupboards.delete(name),
    match: async (key: string, { cacheName }: { cacheName?: string } = {}) => {
      for (const [name, each] of cupboards) {
        const found = !cacheName || name === cacheName ? await each.match(key) : undefined;
        if (found) return found;
      }
      return undefined;
    },
  });
  served = {
    [SHELL]: () => answer('<script src="/x/shop-2.js">', { "Content-Type": "text/html" }),
    "/x/shop-2.js": () => answer("script"),
    "/x/a.css": () => answer("style"),
    [PICTURE]: () => answer("picture", { "Content-Length": "7" }),
  };
  vi.stubGlobal("fetch", async (asked: Request | string) => {
    const serve = served[nameOf(asked)];
    if (!serve) throw new TypeError("No line");
    return serve();
  });
});

const answer = (body: string, headers: Record<string, string> = {}, status = 200) =>
  new Response(body, { status, headers });

/** What is kept, by the cupboard's name. */
const names = () => Object.fromEntries([...cupboards].map(([name, { rows }]) => [name, rows.size]));

async function askFor(url: string): Promise<Response> {
  const got = await cacheFirst(new Request(url), "picture", (work) => afterwards.push(work));
  await Promise.all(afterwards);
  return got;
}

describe("the worker looks at", () => {
  const kind = (path: string, init: RequestInit = {}, mode?: RequestMode) => {
    const { method, url, headers } = new Request(new URL(path, SHOP), init);
    return kindOf({ method, url, headers, mode: mode ?? "cors" }, SHOP);
  };

  it.each([
    ["/shop/", "page"],
    ["/shop/product/41-kettle-1-7-l", "page"],
    ["/shop/sitemap.xml", "other"],
    ["/admin/", "other"],
  ])("a visit to %s as a %s", (path, expected) => {
    expect(kind(path, {}, "navigate")).toBe(expected);
  });

  it.each([
    ["/static/shop/assets/shop-a.js", "file"],
    ["/media/products/a.webp", "picture"],
    ["/media/avatars/a.webp", "other"],
    ["/product/41/", "other"],
    ["/cashout/", "other"],
    ["https://elsewhere.test/media/products/a.webp", "other"],
  ])("what a page asks for at %s as %s", (path, expected) => {
    expect(kind(path)).toBe(expected);
  });

  it("nothing that is sent, is somebody's own, or comes in pieces", () => {
    expect(kind("/media/products/a.webp", { method: "POST" })).toBe("other");
    expect(kind("/media/products/a.webp", { headers: { Authorization: "x" } })).toBe("other");
    expect(kind("/media/products/a.webp", { headers: { Range: "bytes=0-1" } })).toBe("other");
  });
});

describe("a build", () => {
  it("is kept with its shell", async () => {
    await cacheBuild(BUILD);

    expect(names()).toEqual({ "shell-two": 3 });
  });

  it.each([
    ["a file is not there", "/x/a.css", () => answer("none", {}, 404)],
    ["a file is a page", "/x/a.css", () => answer("<html>", { "Content-Type": "text/html" })],
    ["the shell is of another build", SHELL, () => answer('<script src="/x/shop-3.js">')],
    ["the shell is refused", SHELL, () => answer("/x/shop-2.js", {}, 503)],
  ])("is not kept at all where %s", async (_, path, serve) => {
    served[path] = serve;

    await expect(cacheBuild(BUILD)).rejects.toThrow();

    expect(names()).toEqual({});
  });

  it("stays while the next one is in use, for the tabs that are still open", async () => {
    for (const version of ["none", "one", "two"]) await caches.open(`shell-${version}`);
    await caches.open("pictures");

    await forgetOldBuilds("two");

    expect(Object.keys(names())).toEqual(["shell-one", "shell-two", "pictures"]);
  });
});

describe("a page", () => {
  beforeEach(() => cacheBuild(BUILD));
  const never = new Promise<Response>(() => undefined);

  it.each([200, 404, 500, 503])("is the shop's own, with status %i as well", async (status) => {
    const got = await networkFirst(Promise.resolve(answer("painted", {}, status)), "two");

    expect([got.status, await got.text()]).toEqual([status, "painted"]);
  });

  it.each([
    ["nothing comes", () => Promise.reject(new TypeError("No line"))],
    ["a gateway cannot reach the shop", async () => answer("Bad gateway", {}, 502)],
    ["nothing comes soon", () => never],
  ])("is the kept shell where %s", async (_, ask) => {
    const got = await networkFirst(ask(), "two", 1);

    expect(await got.text()).toContain("/x/shop-2.js");
  });

  it("is waited for where no shell is kept", async () => {
    cupboards.clear();
    const late = new Promise<Response>((tell) => setTimeout(() => tell(answer("late")), 20));

    expect(await (await networkFirst(late, "two", 1)).text()).toBe("late");
  });
});

describe("a picture", () => {
  it("is kept as it is seen, and needs no line the next time", async () => {
    await askFor(PICTURE);
    delete served[PICTURE];

    expect(await (await askFor(PICTURE)).text()).toBe("picture");
  });

  it.each([
    ["was refused", answer("no", {}, 403)],
    ["is large", answer("large", { "Content-Length": "600001" })],
    ["is a page", answer("sign in", { "Content-Type": "text/html" })],
    ["came in pieces", answer("half", {}, 206)],
    ["came by a detour", Object.defineProperty(answer("moved"), "redirected", { value: true })],
    ["hides its size", Object.defineProperty(answer("opaque"), "type", { value: "opaque" })],
  ])("is shown and not kept where it %s", async (_, got) => {
    served[PICTURE] = () => got;

    expect(await askFor(PICTURE)).toBe(got);
    expect(names()).toEqual({});
  });

  it("is shown where the device has no room, and what was kept makes place", async () => {
    const full = new Cupboard();
    full.isFull = true;
    cupboards.set("pictures", full);

    expect(await (await askFor(PICTURE)).text()).toBe("picture");
    expect(names()).toEqual({});
  });

  it("makes place for later ones, by number and by bytes", async () => {
    const row = new Cupboard();
    for (const name of ["a", "b", "c", "d"]) {
      await row.put(`${SHOP}/${name}`, answer(name, { "Content-Length": "10" }));
    }

    await trim(row as unknown as Cache, { number: 3, bytes: 1000 });
    expect([...row.rows.keys()]).toEqual([`${SHOP}/b`, `${SHOP}/c`, `${SHOP}/d`]);
    await trim(row as unknown as Cache, { number: 3, bytes: 25 });
    expect([...row.rows.keys()]).toEqual([`${SHOP}/c`, `${SHOP}/d`]);
  });
});
