package mls

import (
	"testing"
	"time"
)

func TestVectorPassiveWelcome(t *testing.T)  { passive(t, "passive-client-welcome") }
func TestVectorPassiveHandling(t *testing.T) { passive(t, "passive-client-handling-commit") }
func TestVectorPassiveRandom(t *testing.T)   { passive(t, "passive-client-random") }

func passive(t *testing.T, name string) {
	type vector struct {
		Suite        CipherSuite `json:"cipher_suite"`
		ExternalPSKs []struct {
			ID  hexBytes `json:"psk_id"`
			PSK hexBytes `json:"psk"`
		} `json:"external_psks"`
		KeyPackage    hexBytes `json:"key_package"`
		Signature     hexBytes `json:"signature_priv"`
		Encryption    hexBytes `json:"encryption_priv"`
		Init          hexBytes `json:"init_priv"`
		Welcome       hexBytes
		Tree          hexBytes `json:"ratchet_tree"`
		Authenticator hexBytes `json:"initial_epoch_authenticator"`
		Epochs        []struct {
			Proposals     []hexBytes
			Commit        hexBytes
			Authenticator hexBytes `json:"epoch_authenticator"`
		}
	}
	eachVector(t, name, func(t *testing.T, v vector) {
		resumption := map[uint64][]byte{}
		kp, err := ParseKeyPackage(v.KeyPackage)
		ok(t, err)
		same(t, "key package", kp.Marshal(), v.KeyPackage)
		cfg := Config{
			Suite: v.Suite, Signer: seedKey(v.Signature), AllowPublic: true, AllowExternal: true, MaxLifetime: -1,
			PSK: func(id PSKID) ([]byte, bool) {
				if id.Type == PSKResumption {
					k, ok := resumption[id.Epoch]
					return k, ok
				}
				for _, p := range v.ExternalPSKs {
					if string(p.ID) == string(id.ID) {
						return p.PSK, true
					}
				}
				return nil, false
			},
		}
		secrets := &KeyPackageSecrets{Public: kp, initPriv: v.Init, leafPriv: v.Encryption}
		ok(t, secrets.fits())
		ok(t, kp.validate(v.Suite))
		ok(t, kp.Leaf.lifetime(time.Time{}, cfg.MaxLifetime))
		var tree []byte
		if v.Tree != nil {
			tree = v.Tree
		}
		g, err := JoinGroup(cfg, v.Welcome, secrets, tree)
		ok(t, err)
		same(t, "first authenticator", g.EpochAuthenticator(), v.Authenticator)
		store := memory{}
		for i, e := range v.Epochs {
			resumption[g.Epoch()] = g.ResumptionPSK()
			ok(t, g.Flush(store))
			if g, err = LoadGroup(cfg, store); err != nil {
				t.Fatalf("epoch %d: load: %v", i, err)
			}
			for _, p := range e.Proposals {
				if _, err := g.Open(p); err != nil {
					t.Fatalf("epoch %d: proposal: %v", i, err)
				}
			}
			r, err := g.Open(e.Commit)
			if err != nil {
				t.Fatalf("epoch %d: %v", i, err)
			}
			ok(t, g.Merge(r.Staged))
			same(t, "authenticator", g.EpochAuthenticator(), e.Authenticator)
		}
	})
}
