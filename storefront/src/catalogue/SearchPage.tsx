import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { filtersOf, searchQuery } from "../api/queries";
import { Title } from "../app/Title";
import { Empty } from "../ui/parts";
import { CardList } from "./CardList";
import { CategoryTiles } from "./CategoryTiles";
import { FilterForm } from "./FilterForm";

export default function SearchPage() {
  const [params] = useSearchParams();
  const { t } = useLingui();
  const term = params.get("search") ?? "";
  const seller = params.get("seller");
  const list = useInfiniteQuery(searchQuery(term, filtersOf(params, true)));
  const heading = term ? t`“${term}”` : seller ? t`Sold by ${seller}` : t`All products`;
  return (
    <>
      <Title text={heading} />
      <h1>{heading}</h1>
      <Corrected typed={term} found={list.data?.pages[0]?.corrected ?? null} />
      <FilterForm error={list.error} isSearch />
      <CardList
        list={list}
        nothing={
          <Empty title={<Trans>No results</Trans>}>
            <p>
              <Trans>
                Try fewer or different words, or browse a category.{" "}
                <Link to="/">Back to the home page</Link>
              </Trans>
            </p>
            <CategoryTiles isSeen />
          </Empty>
        }
      />
    </>
  );
}

/** Says that the typed words found nothing, and which words are shown instead. */
function Corrected({ typed, found }: { typed: string; found: string | null }) {
  return (
    <p role="status" className="corrected">
      {found && (
        <Trans>
          No results for “{typed}”. Showing results for <strong>{found}</strong>.
        </Trans>
      )}
    </p>
  );
}
