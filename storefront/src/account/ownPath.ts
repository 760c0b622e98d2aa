/** The page to go to after signing in; "/" unless `to` is a path of this shop (no open redirect). */
export function ownPath(to: string | null): string {
  if (!to?.startsWith("/") || /^\/[/\\]/.test(to) || to.startsWith("/sign-in")) return "/";
  return to;
}

/** Pages to which signing in does not return. */
const LEFT_BEHIND = /^\/(?:password|email|account)\//;

/** The path of the sign-in page that returns to this location. */
export function signInFrom({ pathname, search }: { pathname: string; search: string }): string {
  if (pathname === "/sign-in" || pathname === "/join") return `/sign-in${search}`;
  if (pathname === "/" || LEFT_BEHIND.test(pathname)) return "/sign-in";
  return `/sign-in?to=${encodeURIComponent(pathname + search)}`;
}
