/** What administrators see of all users. Nothing is here yet. */
export function Administration() {
    return null;
}
