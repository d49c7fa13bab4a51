import { useEffect, useState } from "react";

/** Milliseconds after which somebody who types is taken to have ended. */
const PAUSE = 400;

/** A value that somebody is typing, as it was when they last paused. */
export function useSettled(value: string): string {
    const [settled, settle] = useState(value);
    useEffect(() => {
        const timer = window.setTimeout(() => settle(value), PAUSE);
        return () => window.clearTimeout(timer);
    }, [value]);
    return settled;
}
