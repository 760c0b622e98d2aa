import { Trans } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { dataAndResponse, userApi } from "../api/client";
import { Problem } from "../ui/parts";
import { saveFile } from "../ui/saveFile";

/** Downloads all data about the user as one file. */
export function DataExport() {
  const take = useMutation({
    mutationFn: async () => {
      const { data, response } = await dataAndResponse<unknown>(
        userApi.GET("/account/export/", { parseAs: "blob" }),
      );
      const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
      saveFile(named?.[1] ?? "omache.json", data as Blob);
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
