/** What stands between a cart and an order, line by line. */

import type { Product } from "../api/client";
import type { CartLine } from "./cart";

/** M-Pesa moves no more than this at once, whole KES. */
export const MOST_AT_ONCE = 250_000;

export type CheckedLine = CartLine & {
  /** As it is now; null where it is not for sale any more. */
  product: Product | null;
  state: "fine" | "gone" | "soldout" | "short" | "price";
  /** How many can be had at most, where `state` is "short". */
  left: number;
};

/** Each line beside what its product is now, as far as others hold none of it. */
export function checkLines(
  lines: readonly CartLine[],
  products: readonly Product[],
): CheckedLine[] {
  const now = new Map(products.map((product) => [product.id, product]));
  return lines.map((line) => {
    const product = now.get(line.id) ?? null;
    return { ...line, product, state: stateOf(line, product), left: product?.available ?? 0 };
  });
}

function stateOf(line: CartLine, product: Product | null): CheckedLine["state"] {
  if (!product) return "gone";
  if (product.soldout) return "soldout";
  if (line.number > product.available) return "short";
  return product.price === line.price ? "fine" : "price";
}

/** What it all costs at the prices of now; goods that cannot be had count nothing. */
export function totalOf(lines: readonly CheckedLine[]): number {
  return lines
    .filter((line) => line.product && line.state !== "soldout")
    .reduce((sum, line) => sum + (line.product?.price ?? 0) * line.number, 0);
}

/** Whether all lines can be ordered as they stand. A changed price can: it is shown. */
export function canOrder(lines: readonly CheckedLine[]): boolean {
  return (
    lines.length > 0 &&
    lines.every((line) => line.state === "fine" || line.state === "price") &&
    totalOf(lines) <= MOST_AT_ONCE
  );
}
