// Svelte strips types by itself: no preprocessor.
export default {
  compilerOptions: {
    runes: true,
    css: 'external', // the policy allows no style elements made by a script
    fragments: 'tree', // elements are made one by one: no innerHTML in the whole build
  },
};
