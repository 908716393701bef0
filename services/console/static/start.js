/* Runs before the first paint: what needs scripts shows itself only where they run. */
document.documentElement.classList.add("js");
