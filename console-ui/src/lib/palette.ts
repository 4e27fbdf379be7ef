// The colours of series: eight hues that are told apart in both themes and by colour-blind eyes as well as eight can be.
// The same name keeps its colour wherever it is drawn from the same sorted list.

const LIGHT = ['#0b6e6e', '#d1761c', '#4466c4', '#b0306a', '#5b8c2a', '#7a4fb5', '#a3701c', '#3a8fb7']
const DARK = ['#4fd1c5', '#f3a257', '#86a4ff', '#ee7fb0', '#9ccf62', '#b794f0', '#dcb15e', '#6fc3e6']

export function colour(index: number, dark: boolean): string {
  const palette = dark ? DARK : LIGHT
  return palette[index % palette.length]!
}
