import { act, render, screen } from "@testing-library/react";
import { Component, type ReactNode, Suspense } from "react";
import { expect, it, vi } from "vitest";
import { lazyPage } from "../src/app/lazy";

class Broken extends Component<{ children: ReactNode }, { is: boolean }> {
  override state = { is: false };
  static getDerivedStateFromError() {
    return { is: true };
  }
  override render() {
    return this.state.is ? <p>broken</p> : this.props.children;
  }
}

it("a page whose file does not come is asked for once, and then shown as broken", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const loader = vi.fn(() => Promise.reject(new TypeError("no network")));
  const Page = lazyPage(loader);
  await act(async () => {
    render(
      <Broken>
        <Suspense fallback={null}>
          <Page />
        </Suspense>
      </Broken>,
    );
  });

  expect(screen.getByText("broken")).toBeTruthy();
  expect(loader).toHaveBeenCalledTimes(1);
});
