package dump

import (
	"context"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// signable ends a run early whose set nobody would trust.
func (r *run) signable() error {
	const remedy = "Give the unit the credential signing-key, or set signing.key_file. `pgbtui config check` tries it."
	switch {
	case len(r.job.Signing.PublicKeys) == 0:
		return nil // a key alone signs for readers elsewhere
	case r.opts.Signer == nil:
		return fault.New(fault.Config,
			"backup: signing.public_keys are configured, and there is no private key to sign this set", remedy, nil)
	case !r.opts.Signer.Among(r.job.Signing.PublicKeys):
		return fault.New(fault.Config,
			fmt.Sprintf("backup: the signing key (%s) is not among signing.public_keys: no reader would trust this set",
				r.opts.Signer.ID()),
			"Add its public key there, on every host that reads, or use the right key.", nil)
	}
	return nil
}

// sign stores the signature of the manifest that is about to be written.
func (r *run) sign(ctx context.Context, manifest []byte) error {
	if r.opts.Signer == nil {
		return nil
	}
	key := r.dir + backup.SignatureName
	r.written = append(r.written, key)
	_, err := r.env.Bucket.Put(ctx, key, r.opts.Signer.Sign(manifest),
		s3.PutOptions{ContentType: backup.ContentType, Lock: r.retain})
	return err
}
