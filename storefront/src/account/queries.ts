/** Queries that only the account's pages use. */

import { queryOptions } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { ApiError } from "../api/errors";

/** The phone the user signs in with; null if the shop sends no codes. */
export const signInPhoneQuery = queryOptions({
  queryKey: ["account", "phone"],
  queryFn: async () => {
    try {
      return await dataOf(userApi.GET("/account/phone/"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
});
