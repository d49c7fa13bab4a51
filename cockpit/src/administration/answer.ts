import { useCallback, useState } from "react";
import type { Answers, Done, Failure, Outcome } from "../answers";
import { run } from "../command";
import type { Notice } from "../parts/notices";
import { useReading, type Reading } from "../parts/reading";

/** What a command answers to root, read again whenever `generation` is another one. */
export function useAnswer<C extends keyof Answers>(
    command: C,
    words: readonly string[],
    generation = 0,
): Reading<Answers[C]> {
    // The same words are the same call.
    const line = JSON.stringify(words);
    const look = useCallback(
        () => run(command, { words: JSON.parse(line) as string[], asRoot: true }),
        [command, line],
    );
    return useReading(look, generation);
}

/** Called when a dialogue is left: with a notice if something was done. */
export type Close = (notice?: Notice) => void;

/** Runs a change as root, with its state for a dialogue. */
export function useChange(): {
    busy: boolean;
    failure: Failure | null;
    make: <T extends Done>(change: () => Promise<Outcome<T>>) => Promise<T | null>;
} {
    const [busy, setBusy] = useState(false);
    const [failure, setFailure] = useState<Failure | null>(null);
    const make = async <T extends Done>(change: () => Promise<Outcome<T>>): Promise<T | null> => {
        setBusy(true);
        const outcome = await change();
        setBusy(false);
        setFailure(outcome.ok ? null : outcome.failure);
        return outcome.ok ? outcome.answer : null;
    };
    return { busy, failure, make };
}
