import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";
import { categoryQuery, filtersOf } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { Title } from "../app/Title";
import { Empty } from "../ui/parts";
import { CardList } from "./CardList";
import { CategoryLinks } from "./CategoryLinks";
import { CATEGORIES, isCategory } from "./categories";
import { FilterForm } from "./FilterForm";

export default function CategoryPage() {
  const { category = "" } = useParams();
  return isCategory(category) ? <Listed category={category} /> : <NotFound />;
}

function Listed({ category }: { category: keyof typeof CATEGORIES }) {
  const [params] = useSearchParams();
  const { i18n } = useLingui();
  const list = useInfiniteQuery(categoryQuery(category, filtersOf(params)));
  const name = i18n._(CATEGORIES[category]);
  return (
    <>
      <Title text={name} />
      <h1>{name}</h1>
      <CategoryLinks />
      <FilterForm error={list.error} />
      <CardList
        list={list}
        nothing={
          <Empty title={<Trans>No products match these filters</Trans>}>
            <p>
              <Link to={`/category/${category}`}>
                <Trans>Show all of {name}</Trans>
              </Link>
            </p>
          </Empty>
        }
      />
    </>
  );
}
