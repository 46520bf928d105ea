# %% [markdown]
# # The tutorial's program, with minigan in PyTorch's place
#
# This program trains a GAN that draws handwritten digits, with the names and in the order of the
# PyTorch tutorial: data, networks, loss and optimizers, the training loop, pictures.  The comments
# give PyTorch's line where minigan's differs.  `minigan train --recipe tutorial` does the same with
# checkpoints and curves.
#
# The tutorial trains for 1000 epochs, draws a picture after every hundredth of them, and has no
# seed; this program stops after 20, draws one after each, from the same latent points, and has a
# seed.  It takes ten to fifteen minutes; EPOCHS=2 in the environment gives a first look.  The
# pictures go to runs/mnist_gan.

# %%
import os
import time
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.data import batches, pixel_values
from minigan.training.pictures import save_grid

num_epochs = int(os.environ.get("EPOCHS", "20"))  # 1000
batch_size = int(os.environ.get("BATCH_SIZE", "64"))
pictures = Path(os.environ.get("OUT", "runs/mnist_gan"))
pictures.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(1)  # all random numbers of this program

# %% [markdown]
# ## Data
# PyTorch: `datasets.MNIST(..., transform=Compose([ToTensor(), Normalize((0.5,), (0.5,))]))`.
# The images stay bytes; `pixel_values` does the work of ToTensor and Normalize on each batch.

# %%
train_dataset, _ = mg.load_mnist("train")
train_dataset = train_dataset.reshape(len(train_dataset), 28 * 28)  # D's nn.Flatten()
transform = pixel_values

# %% [markdown]
# ## Generator and discriminator
# A network is a row of layers, as in `nn.Sequential`.  When a Linear joins a network, its weights
# are drawn with the network's seed.

# %%
generator = mg.Sequential(
    mg.Linear(100, 256),
    mg.ReLU(),
    mg.Linear(256, 512),
    mg.ReLU(),
    mg.Linear(512, 1024),
    mg.ReLU(),
    mg.Linear(1024, 28 * 28),
    mg.Tanh(),
    seed=rng,
)
discriminator = mg.Sequential(
    mg.Linear(28 * 28, 1024),
    mg.LeakyReLU(0.2),
    mg.Linear(1024, 512),
    mg.LeakyReLU(0.2),
    mg.Linear(512, 256),
    mg.LeakyReLU(0.2),
    mg.Linear(256, 1),
    mg.Sigmoid(),
    seed=rng,
)
print(generator)
print(discriminator)

# %% [markdown]
# ## Loss and optimizers
# PyTorch: `criterion = nn.BCELoss()`; here the function `mg.bce` returns the loss and its gradient.

# %%
criterion = mg.bce
optimizer_G = mg.Adam(generator, lr=0.0002, betas=(0.5, 0.999))  # optim.Adam(G.parameters(), ...)
optimizer_D = mg.Adam(discriminator, lr=0.0002, betas=(0.5, 0.999))
fixed_z = rng.standard_normal((64, 100), dtype=np.float32)

# %% [markdown]
# ## Training

# %%
for epoch in range(1, num_epochs + 1):
    start = time.perf_counter()
    for batch in batches(len(train_dataset), batch_size, rng):  # for i, (imgs, _) in enumerate(...)
        real_imgs = transform(train_dataset[batch])
        real_labels, fake_labels = 1.0, 0.0  # torch.ones(...), torch.zeros(...)

        # Train the discriminator: real images are 1, fake images are 0.
        outputs, cache = discriminator.forward(real_imgs)
        d_loss_real, dp = criterion(outputs, real_labels)
        discriminator.backward(dp, cache, input_grad=False)  # d_loss_real.backward()
        grads_real = discriminator.grads.copy()  # the next backward overwrites the gradients:

        z = rng.standard_normal((len(batch), 100), dtype=np.float32)  # torch.randn(...)
        fake_imgs, cache_g = generator.forward(z)
        outputs, cache = discriminator.forward(fake_imgs)
        d_loss_fake, dp = criterion(outputs, fake_labels)
        discriminator.backward(dp, cache, input_grad=False)  # fake_imgs.detach(): no gradient to it
        discriminator.grads += grads_real  # there is no zero_grad() to forget, but a sum to write
        optimizer_D.step()

        # Train the generator: the updated discriminator should take its images for real.
        outputs, cache = discriminator.forward(fake_imgs)
        g_loss, dp = criterion(outputs, real_labels)
        d_fake = discriminator.backward(dp, cache, param_grads=False)  # whose weights stay
        generator.backward(d_fake, cache_g, input_grad=False)  # g_loss.backward()
        optimizer_G.step()

    print(
        f"Epoch [{epoch}/{num_epochs}], d_loss: {float(d_loss_real) + float(d_loss_fake):.4f}, "
        f"g_loss: {float(g_loss):.4f}, {time.perf_counter() - start:.1f} s"
    )
    generated_images = generator(fixed_z)  # generator(torch.randn(64, 100))
    save_grid(pictures / f"epoch_{epoch:04d}.png", generated_images)  # make_grid(...), plt.imshow
    print(f"picture: {pictures}/epoch_{epoch:04d}.png")
