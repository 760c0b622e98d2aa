/** Pages in files of their own. One whose file is there is shown at once: the first page's is
 *  fetched before anything is shown, so that what Django painted stays until then. */

import { type ComponentType, use } from "react";
import { loadPart, type Part } from "../i18n";

type Loader = () => Promise<{ default: ComponentType }>;

export type LazyPage = ComponentType & { load: () => Promise<void> };

/** So long a file that did not come is not asked for again, milliseconds. */
const A_WHILE = 2_000;

/** `part` is what its texts are in. */
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
        // A later try asks again. Not at once: what is drawn over and over until then would ask
        // each time, without end.
        setTimeout(() => {
          kept.loading = null;
        }, A_WHILE);
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
