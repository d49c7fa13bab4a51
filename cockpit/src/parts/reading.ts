import { useCallback, useEffect, useRef, useState } from "react";
import type { Outcome } from "../answers";

/** What was read, and how to read it again. */
export interface Reading<T> {
    /** Null until it is known. */
    outcome: Outcome<T> | null;
    /** For which generation it was read; null with `outcome`. */
    generation: number | null;
    read: () => Promise<void>;
}

/** Reads at once, and again whenever `generation` is another one. `look` must stay the
 *  same function as long as it asks for the same. */
export function useReading<T>(look: () => Promise<Outcome<T>>, generation = 0): Reading<T> {
    const [last, setLast] = useState<{ outcome: Outcome<T>; generation: number } | null>(null);
    const asked = useRef(0);
    const read = useCallback(async () => {
        asked.current += 1;
        const mine = asked.current;
        const outcome = await look();
        // Answers may come in another order.
        if (mine === asked.current) setLast({ outcome, generation });
    }, [look, generation]);
    useEffect(() => {
        void read();
    }, [read]);
    return { outcome: last?.outcome ?? null, generation: last?.generation ?? null, read };
}
