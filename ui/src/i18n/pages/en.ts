// The texts of the pages beside the conversation.

export const en = {} as const;
