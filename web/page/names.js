/** How files that the page saves are named, as the commands name theirs. */

/** Of the picture of a file: photo.png of photo.lcq and of photo.png.lcq, photo.jpg.png of photo.jpg.lcq. */
export function restoredName(name) {
  const stem = withoutSuffix(name);
  return /.\.png$/i.test(stem) ? stem : `${stem}.png`;
}

/** Of the file of a picture: photo.lcq of photo.jpg. */
export function packedName(name) {
  return `${withoutSuffix(name)}.lcq`;
}

/** A name without its last suffix; a dot at the beginning makes none. */
function withoutSuffix(name) {
  return name.replace(/(.)\.[^.]+$/, "$1");
}
