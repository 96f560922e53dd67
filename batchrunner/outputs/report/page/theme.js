// Before anything is painted: the reader's own choice of light or dark, if there is one.
try {
  const chosen = localStorage.getItem("batchrunner-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* storage may be off for files */ }
