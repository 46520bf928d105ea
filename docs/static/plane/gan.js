// minigan/gan.py once more: one step of D, then one step of G.  The page takes them one by one, so
// each is a method of its own; D returns logits.

class GAN {
  constructor(generator, discriminator, { lr = 2e-4, betas = [0.5, 0.999], eps = 1e-8 } = {}) {
    this.adam_g = new Adam(generator, lr, betas, eps);
    this.adam_d = new Adam(discriminator, lr, betas, eps);
    this.generator = generator; this.discriminator = discriminator;
    this.saturating = false;
  }

  train_step(real, z) {
    const [fake, cache_g] = this.generator.forward(z);
    const d_loss = this.step_of_d(real, fake);
    const g_loss = this.step_of_g(fake, cache_g);
    return { d_loss, g_loss };
  }

  step_of_d(real, fake) {
    const D = this.discriminator, B = real.rows;
    // Step of D: real images should be called real (1), fake ones fake (0).
    const [y, cache_d] = D.forward(concatenate(real, fake));
    const [loss_real, dp_real] = bce_with_logits(y.slice(0, B), 1); // two means are added
    const [loss_fake, dp_fake] = bce_with_logits(y.slice(B), 0);
    const dy = concatenate(dp_real, dp_fake);
    D.backward(dy, cache_d, { input_grad: false }); // no gradient to the images: fake.detach()
    this.adam_d.step();
    return loss_real + loss_fake;
  }

  step_of_g(fake, cache_g) {
    const D = this.discriminator, G = this.generator;
    // Step of G: the same fake images should be called real by the updated D.
    const [y, cache_d] = D.forward(fake);
    const [g_loss, dy] = this.loss_of_g(y);
    const d_fake = D.backward(dy, cache_d, { param_grads: false }); // D is frozen: only a path to G
    G.backward(d_fake, cache_g, { input_grad: false }); // G has not moved: its cache still holds
    this.adam_g.step();
    return g_loss;
  }

  loss_of_g(y) { // -mean log D(G(z)); or mean log(1 - D(G(z))), which is minus the loss for target 0
    if (!this.saturating) return bce_with_logits(y, 1);
    const [loss, dy] = bce_with_logits(y, 0);
    return [-loss, dy.map((d) => -d)];
  }
}
