// The app as a call needs it.

import { addCandidates, answerCall, callMedia, callRenewed, endCall, relays, renewCall, startCall } from '../api/calls';
import type { Signalling } from './peer';

export const app: Signalling = {
  relays: (room) => relays({ room }),
  call: startCall,
  media: callMedia,
  answer: answerCall,
  candidates: addCandidates,
  renew: renewCall,
  renewed: (call, round, d) => callRenewed(call, String(round), d),
  end: endCall,
};
