import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { ProductDetail } from "../src/api/client";
import CategoryPage from "../src/catalogue/CategoryPage";
import ProductPage from "../src/catalogue/ProductPage";
import SearchPage from "../src/catalogue/SearchPage";
import { setOf } from "../src/ui/Picture";
import { answerWith, aProduct, json, show } from "./page";

const AT = { at: "/product/41", path: "/product/:product" };

function detail(changes: Partial<ProductDetail> = {}): ProductDetail {
  return { ...aProduct(), pictures: [], ...changes };
}

function pictures(count: number): ProductDetail["pictures"] {
  return Array.from({ length: count }, (_, at) => ({
    id: at + 1,
    sizes: [
      { url: `/media/${at}.s.webp`, width: 400, height: 300 },
      { url: `/media/${at}.l.webp`, width: 1600, height: 1200 },
    ],
    preview: null,
  }));
}

/** What was asked for, by the query's names. */
function askedFor(asked: ReturnType<typeof answerWith>, path: string): URLSearchParams {
  const urls = asked.mock.calls.map(([input]) => new URL((input as Request).url));
  return urls.findLast(({ pathname }) => pathname === path)?.searchParams ?? new URLSearchParams();
}

describe("a product", () => {
  it("says how few are left, and sells no more than that", async () => {
    answerWith({ "GET /product/41/": detail({ item_number: 9, available: 2 }) });
    show(<ProductPage />, AT);

    expect(await screen.findByText("Only 2 left")).toBeTruthy();
    fireEvent.click(screen.getByLabelText("Increase quantity"));
    expect(screen.getByLabelText("Increase quantity")).toHaveProperty("disabled", true);
  });

  it("that a finger tapped twice is put into the cart once", async () => {
    answerWith({ "GET /product/41/": detail() });
    show(<ProductPage />, AT);

    const add = await screen.findByRole("button", { name: "Add to cart" });
    fireEvent.click(add, { detail: 1 });
    fireEvent.click(add, { detail: 2 });

    expect(await screen.findByText("1 in your cart.")).toBeTruthy();
  });

  it("that others are paying for comes back, and says when at the latest", async () => {
    answerWith({
      "GET /product/41/": detail({ available: 0, soldout: true, back_within: 130 }),
    });
    show(<ProductPage />, AT);

    expect(await screen.findByText(/back within 3 minutes/)).toBeTruthy();
    expect(screen.queryByText("Add to cart")).toBeNull();
  });

  it("that is sold out for good says no more than that", async () => {
    answerWith({
      "GET /product/41/": detail({ available: 0, soldout: true, back_within: null }),
    });
    show(<ProductPage />, AT);

    expect(await screen.findByText("Sold out.")).toBeTruthy();
  });

  it("has its pictures in their sizes, and one in sight is chosen by its small one", async () => {
    answerWith({ "GET /product/41/": detail({ pictures: pictures(3) }) });
    show(<ProductPage />, AT);
    const image = await screen.findByAltText("Kettle");

    expect(image.getAttribute("srcset")).toBe("/media/0.s.webp 400w, /media/0.l.webp 1600w");
    expect([image.getAttribute("width"), image.getAttribute("height")]).toEqual(["400", "300"]);
    const small = screen.getAllByLabelText(/^Show picture/);
    expect(small.map((each) => each.getAttribute("aria-current"))).toEqual([
      "true",
      "false",
      "false",
    ]);
  });

  it("is looked at closely, turned by the arrows, and made larger", async () => {
    answerWith({ "GET /product/41/": detail({ pictures: pictures(2) }) });
    const opened = vi.spyOn(HTMLDialogElement.prototype, "showModal");
    show(<ProductPage />, AT);

    fireEvent.click(await screen.findByLabelText("Zoom in on picture 2 of 2"));

    expect(opened).toHaveBeenCalledOnce();
    const dialog = screen.getByLabelText("Pictures of Kettle");
    expect(within(dialog).getByText("Picture 2 of 2")).toBeTruthy();
    expect(within(dialog).getByLabelText("Next picture")).toHaveProperty("disabled", true);
    fireEvent.click(within(dialog).getAllByLabelText("Zoom in")[1] as HTMLElement);
    expect(within(dialog).getByLabelText("Zoom out")).toBeTruthy();
  });

  it("of a list that is gone now says so, though the list still has it", async () => {
    answerWith({ "GET /product/41/": json({ detail: "Not found.", code: "not_found" }, 404) });
    show(<ProductPage />, AT);

    expect(await screen.findByText("This product is no longer available")).toBeTruthy();
  });
});

describe("a picture's choice of files", () => {
  const file = (url: string, width: number | null) => ({ url, width, height: width });

  it("is none where there is one, or a width is not known yet", () => {
    expect(setOf([file("a", 400), file("b", 800)])).toBe("a 400w, b 800w");
    expect(setOf([file("a", 400)])).toBeUndefined();
    expect(setOf([file("a", 400), file("b", null)])).toBeUndefined();
  });
});

describe("a search", () => {
  const rows = [aProduct()];

  it("asks for light rows, and for what fits best", async () => {
    const asked = answerWith({ "GET /product/search/": rows });
    show(<SearchPage />, { at: "/search?search=kettle" });

    await screen.findByText("Kettle");
    const query = askedFor(asked, "/product/search/");
    expect(query.get("ordering")).toBe("relevance");
    expect(query.get("fields")?.split(",")).not.toContain("description");
  });

  it("says which words it was put right to", async () => {
    answerWith({
      "GET /product/search/": json(rows, 200, { "Search-Corrected": "birika%20la%20chai" }),
    });
    show(<SearchPage />, { at: "/search?search=brika" });

    expect(await screen.findByText("birika la chai")).toBeTruthy();
  });

  it("is narrowed by category, stars and what can be bought, in the address", async () => {
    const asked = answerWith({ "GET /product/search/": rows });
    show(<SearchPage />, { at: "/search?search=kettle" });
    await screen.findByText("Kettle");

    fireEvent.change(screen.getByLabelText("Category"), { target: { value: "kitchen" } });
    await waitFor(() =>
      expect(askedFor(asked, "/product/search/").get("category")).toBe("kitchen"),
    );
    fireEvent.change(screen.getByLabelText("Rating"), { target: { value: "4" } });
    await waitFor(() => expect(askedFor(asked, "/product/search/").get("min_stars")).toBe("4"));
    await screen.findByText("Kettle");
    fireEvent.click(screen.getByLabelText("In stock only"));

    await waitFor(() => {
      const query = askedFor(asked, "/product/search/");
      expect([query.get("min_stars"), query.get("in_stock")]).toEqual(["4", "true"]);
    });
    fireEvent.click(screen.getByText("Clear filters"));
    await waitFor(() =>
      expect(screen.getByLabelText<HTMLSelectElement>("Category").value).toBe(""),
    );
    expect(screen.queryByText("Clear filters")).toBeNull();
  });

  it("tells who asked too much how long to wait", async () => {
    answerWith({
      "GET /product/search/": json({ detail: "Too many." }, 429, { "Retry-After": "17" }),
    });
    show(<SearchPage />, { at: "/search?search=kettle" });

    expect(await screen.findByText(/Try again in 17 seconds/)).toBeTruthy();
  });
});

describe("a category", () => {
  it("leaves alone what only a search is narrowed by", async () => {
    const asked = answerWith({ "GET /product/kitchen/": [aProduct({ available: 3 })] });
    show(<CategoryPage />, {
      at: "/category/kitchen?category=phones",
      path: "/category/:category",
    });

    expect(await screen.findByText("Only 3 left")).toBeTruthy();
    expect(askedFor(asked, "/product/kitchen/").has("category")).toBe(false);
    expect(screen.queryByLabelText("In stock only")).toBeNull();
  });
});
