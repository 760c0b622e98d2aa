import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Page } from "../api/boot";
import type { Card as CardData } from "../api/queries";
import { Problem } from "../ui/parts";
import { ShowMore } from "../ui/ShowMore";
import { Card, CardSkeletons } from "./Card";

type Listed = UseInfiniteQueryResult<{ pages: Page<CardData>[] }>;

/** The loaded pages of a list of products, and a button for the next. */
export function CardList({ list, nothing }: { list: Listed; nothing: ReactNode }) {
  if (list.isPending) return <CardSkeletons count={12} className="grid" />;
  const products = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isSuccess && products.length === 0 && nothing}
      <ul className="grid">
        {products.map((product, at) => (
          <Card key={product.id} product={product} eager={at < 4} />
        ))}
      </ul>
      <ShowMore of={list} />
    </>
  );
}
