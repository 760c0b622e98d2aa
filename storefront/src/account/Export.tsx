import { Trans } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { dataAndResponse, userApi } from "../api/client";
import { Problem } from "../ui/parts";

/** Downloads all data about the user as one file. */
export function Export() {
  const take = useMutation({
    mutationFn: async () => {
      const { data, response } = await dataAndResponse<unknown>(
        userApi.GET("/account/export/", { parseAs: "blob" }),
      );
      const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
      keepAs(data as Blob, named?.[1] ?? "omache.json");
    },
  });
  return (
    <div className="stack">
      {take.error && <Problem error={take.error} />}
      <p className="row">
        <button
          type="button"
          className="button plain little"
          disabled={take.isPending}
          onClick={() => take.mutate()}
        >
          {take.isPending ? <Trans>Please wait…</Trans> : <Trans>Download your data</Trans>}
        </button>
        <span role="status">{take.isSuccess && <Trans>Saved to your downloads.</Trans>}</span>
      </p>
    </div>
  );
}

function keepAs(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // Some browsers read it only after the click was handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
