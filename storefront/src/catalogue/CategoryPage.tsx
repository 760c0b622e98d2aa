import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";
import { categoryQuery, filtersOf } from "../api/queries";
import { Missing } from "../app/Missing";
import { Title } from "../app/Title";
import { Empty } from "../ui/parts";
import { CardList } from "./CardList";
import { CATEGORIES, isCategory } from "./categories";
import { Kinds } from "./Kinds";
import { Sieve } from "./Sieve";

export default function CategoryPage() {
  const { category = "" } = useParams();
  return isCategory(category) ? <Listed category={category} /> : <Missing />;
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
      <Kinds />
      <Sieve error={list.error} />
      <CardList
        list={list}
        nothing={
          <Empty title={<Trans>Nothing here fits</Trans>}>
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
