import { useEffect, useState } from "react";
import { duration } from "./times";
import { fill, _ } from "../translate";

/** Counts down how long somebody has to wait, in seconds from when it is first shown. */
export function Countdown({ seconds }: { seconds: number }) {
    const [left, setLeft] = useState(seconds);
    useEffect(() => {
        // By a clock that nobody sets.
        const end = performance.now() + seconds * 1000;
        const look = (): void => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000)));
        look();
        const timer = window.setInterval(look, 1000);
        return () => window.clearInterval(timer);
    }, [seconds]);
    const text = left > 0 ? fill(_("Wait $time."), { time: duration(left) }) : _("You can try again now.");
    // Not read out every second.
    return <p aria-live="off">{text}</p>;
}
