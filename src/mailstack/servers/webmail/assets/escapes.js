// What percent escapes stand for; a text whose escapes are broken stands for itself.
export function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
