// The names of the drawings in Drawings.svelte.
export type IconName =
  | 'pen' | 'search' | 'phone' | 'video' | 'more' | 'clip' | 'smile' | 'mic' | 'micoff' | 'up'
  | 'clock' | 'file' | 'files' | 'pause' | 'play' | 'x' | 'check' | 'left' | 'right' | 'talk'
  | 'you' | 'pin' | 'belloff' | 'bell' | 'screen' | 'hold' | 'hang' | 'expand' | 'link'
  | 'laptop' | 'desktop' | 'words' | 'box' | 'copy' | 'qr' | 'bird' | 'same' | 'missed'
  | 'direct' | 'relay' | 'speaker' | 'server' | 'info' | 'alert' | 'cloudoff' | 'sun' | 'eye'
  | 'plus' | 'videooff' | 'house' | 'mail' | 'star' | 'reply' | 'forward' | 'bin' | 'state-queued' | 'state-stored' | 'state-delivered'
  | 'state-read' | 'state-failed' | 'state-expired' | 'hairpin' | 'writing';
