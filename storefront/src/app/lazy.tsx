/** Code splitting: each page has a file of its own. A loaded page renders at once. The first page is
 *  loaded before React renders anything, so that the server's HTML stays until then. */

import { type ComponentType, use } from "react";
import { loadPart, type Part } from "../i18n";

type Loader = () => Promise<{ default: ComponentType }>;

export type LazyPage = ComponentType & { load: () => Promise<void> };

/** How long a file that failed to load is not requested again, milliseconds. */
const RETRY_DELAY = 2_000;

/** A page that is loaded when it is first shown, with the texts of `part`. */
export function lazyPage(loader: Loader, part: Part = "shop"): LazyPage {
  const kept: { page: ComponentType | null; loading: Promise<void> | null } = {
    page: null,
    loading: null,
  };
  const load = () => {
    kept.loading ??= Promise.all([loader(), loadPart(part)]).then(
      ([file]) => {
        kept.page = file.default;
      },
      (error) => {
        // May be loaded again later. Not at once: React renders repeatedly, and would request the
        // file each time, for ever.
        setTimeout(() => {
          kept.loading = null;
        }, RETRY_DELAY);
        throw error;
      },
    );
    return kept.loading;
  };
  return Object.assign(() => show(kept.page, load), { load });
}

function show(Page: ComponentType | null, load: () => Promise<void>) {
  if (Page) return <Page />;
  use(load());
  return null;
}
