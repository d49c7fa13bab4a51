import { visible } from "../parts/visible";

/** A name that somebody else has chosen: as text, and in its own direction. */
export function Name({ children }: { children: string }) {
    return <bdi>{visible(children)}</bdi>;
}
