package identity

// Common is how many statements two chains begin with alike: 0 for chains of two accounts.
func (c *Chain) Common(other *Chain) (n int) {
	for n < min(len(c.hashes), len(other.hashes)) && c.hashes[n] == other.hashes[n] {
		n++
	}
	return n
}

// Yields says whether another chain of this account counts instead of this one: they fork, and
// the recovery key that both had there has spoken in the other one alone. It outranks devices,
// so it decides between what they have signed. Of two in which it has spoken none yields.
func (c *Chain) Yields(other *Chain) bool {
	at := c.Common(other)
	if at == 0 || at == c.Len() || at == other.Len() {
		return false
	}
	before, err := c.At(at)
	return err == nil && before.recovery != nil && other.byRecovery(at) && !c.byRecovery(at)
}

// byRecovery says whether the recovery key has signed a statement from a position on.
func (c *Chain) byRecovery(from int) bool {
	for _, s := range c.Record(from) {
		if s.Signer == nil {
			return true
		}
	}
	return false
}

// Join is the longer of two views of one account, or the one that counts if they fork. Where
// neither counts it is ErrFork, and ErrChain for chains of two accounts.
func (c *Chain) Join(other *Chain) (*Chain, error) {
	switch at := c.Common(other); {
	case at == 0:
		return nil, errOther
	case at == other.Len(), other.Yields(c):
		return c, nil
	case at == c.Len(), c.Yields(other):
		return other, nil
	default:
		return nil, forkAt(at)
	}
}

// Holds says whether a leaf still counts by this chain: it had the head that the leaf names,
// and holds its device.
func (c *Chain) Holds(cred Credential) bool {
	return c.Active(cred.Device) && c.Includes(cred.Head, int(cred.Length))
}
