/** fill puts values in the place of the {names} of a text. What a value holds stays as it is. */
export function fill(text: string, value: (name: string) => string): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => value(name));
}
