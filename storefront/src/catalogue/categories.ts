/** The categories by the API's names, with their labels. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Category } from "../api/client";

export const CATEGORIES: Record<Category, MessageDescriptor> = {
  phones: msg`Phones & tablets`,
  electronics: msg`Electronics`,
  computing: msg`Computing`,
  kitchen: msg`Kitchen`,
  fashions: msg`Fashion`,
  furniture: msg`Furniture`,
  gaming: msg`Gaming`,
  sports: msg`Sports`,
};

/** The home page's shelves in their order: the key in the API's response, and the category. */
export const SHELVES: [key: string, category: Category][] = [
  ["phonestablet", "phones"],
  ["electronics", "electronics"],
  ["kitchen", "kitchen"],
  ["fashions", "fashions"],
  ["computing", "computing"],
  ["gaming", "gaming"],
];

export function isCategory(name: string): name is Category {
  return Object.hasOwn(CATEGORIES, name);
}

/** A product's path, like "/product/41-ramtons-cordless-kettle": only the number counts. */
export function productPath(product: { id: number; name: string }): string {
  const words = product.name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);
  return `/product/${product.id}${words ? `-${words}` : ""}`;
}
