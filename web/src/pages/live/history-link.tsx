import { useRouter } from "@tanstack/react-router";

/** To the account's log, where this build of the dashboard has the page. */
export function HistoryLink({ account }: { readonly account: string }) {
  const router = useRouter();
  if (!Object.hasOwn(router.routesByPath, "/dashboard/$account/history")) return null;
  const href = `/dashboard/${account}/history`;
  return (
    <a
      href={href}
      onClick={(event) => {
        event.preventDefault();
        void router.navigate({ href });
      }}
    >
      History
    </a>
  );
}
