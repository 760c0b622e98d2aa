/** Where to go after signing in: a page of this shop and nothing else. */
export function ownPath(to: string | null): string {
  if (!to?.startsWith("/") || /^\/[/\\]/.test(to) || to.startsWith("/sign-in")) return "/";
  return to;
}
