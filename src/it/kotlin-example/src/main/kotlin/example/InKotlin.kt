package example

import io.matryoshka.sae.SAE
import io.matryoshka.sae.SparseLatents

fun main() {
    SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state").use { sae ->
        // One row, 5 times the direction of latent 7, in place of activations of a model.
        val one = SparseLatents.of(intArrayOf(0, 1), intArrayOf(7), floatArrayOf(5f), sae.dSae())
        val latents = sae.encodeSparse(sae.decode(one))
        latents.strongest(0, 3).forEach { println("latent ${it.latent()}") }
        for (width in sae.widths()) {
            sae.prefix(width).use { println("of the first $width latents ${it.encodeSparse(sae.decode(one)).activeCount(0)} are active") }
        }
    }
}
