// Where pictures are, if there are any. The version stands in the address, so that a
// browser keeps each one as long as it likes.

import { personPictureAddress, roomPictureAddress } from '../api/calls';

export const roomPicture = (r: { id: string; picture?: string }): string | undefined => (r.picture ? roomPictureAddress(r.id, { v: r.picture }) : undefined);

export const personPicture = (p: { account: string; picture?: string }): string | undefined => (p.picture ? personPictureAddress(p.account, { v: p.picture }) : undefined);
