package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of the keys of a {@code config.json}, so that none is passed over in silence: those
 * that are read, those that change nothing here, and those that would change the arithmetic. Any
 * other is said.
 */
final class ConfigKeys {

  private static final Logger LOG = LoggerFactory.getLogger(ConfigKeys.class);

  /** What every configuration of transformers may hold and says nothing of a forward pass. */
  private static final Set<String> HARMLESS =
      keys(
          "_name_or_path _commit_hash _attn_implementation _attn_implementation_autoset",
          "attn_implementation architectures attention_dropout attention_probs_dropout_prob",
          "bad_words_ids begin_suppress_tokens bos_token_id cache_implementation",
          "chunk_size_feed_forward classifier_dropout cross_attention_hidden_size",
          "decoder_start_token_id diversity_penalty do_sample dtype early_stopping",
          "encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty",
          "finetuning_task forced_bos_token_id forced_eos_token_id gradient_checkpointing",
          "hidden_dropout_prob id2label initializer_range is_encoder_decoder label2id",
          "length_penalty max_length min_length model_type no_repeat_ngram_size num_beam_groups",
          "num_beams num_labels num_return_sequences output_attentions output_hidden_states",
          "output_past output_scores pad_token_id prefix problem_type remove_invalid_values",
          "repetition_penalty return_dict return_dict_in_generate sep_token_id suppress_tokens",
          "task_specific_params temperature tf_legacy_loss tie_encoder_decoder",
          "tie_word_embeddings tokenizer_class top_k top_p torch_dtype torchscript",
          "transformers_version typical_p unsloth_fixed unsloth_version use_bfloat16 use_cache");

  /** Keys that change the arithmetic, each with the value that leaves it as it is. */
  private static final Map<String, String> FIXED =
      Map.of(
          "add_cross_attention", "false",
          "auto_map", "none; code that comes with a model is not run",
          "compression_config", "none; this library runs float32, bfloat16 and float16 files",
          "is_decoder", "false",
          "pruned_heads", "none",
          "quantization_config", "none; this library runs float32, bfloat16 and float16 files");

  /** The keys of Gemma 2 and 3. hidden_act is one that transformers ignores, too. */
  static final ConfigKeys GEMMA =
      new ConfigKeys(
          keys(
              "_sliding_window_pattern attn_logit_softcapping final_logit_softcapping head_dim",
              "hidden_act hidden_activation hidden_size intermediate_size layer_types",
              "max_position_embeddings num_attention_heads num_hidden_layers num_key_value_heads",
              "query_pre_attn_scalar rms_norm_eps rope_local_base_freq rope_parameters",
              "rope_scaling rope_theta sliding_window sliding_window_pattern vocab_size"),
          Map.of(
              "attention_bias", "false",
              "enable_moe_block", "false",
              "mlp_bias", "false",
              "num_kv_shared_layers", "0",
              "use_bidirectional_attention", "false"));

  /** The keys of BERT. What is of its pooler or its heads is not run here. */
  static final ConfigKeys BERT =
      new ConfigKeys(
          keys(
              "directionality hidden_act hidden_size intermediate_size layer_norm_eps",
              "max_position_embeddings num_attention_heads num_hidden_layers pooler_fc_size",
              "pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type",
              "position_embedding_type type_vocab_size vocab_size"),
          Map.of("feed_forward_type", "none", "use_rotary", "false", "alibi", "false"));

  private final Set<String> known;
  private final Map<String, String> fixed;

  private ConfigKeys(Set<String> known, Map<String, String> fixed) {
    this.known = known;
    this.fixed = fixed;
  }

  private static Set<String> keys(String... lines) {
    return Stream.of(lines)
        .flatMap(line -> Stream.of(line.split(" ")))
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Refuses keys that would change the arithmetic, and warns of those that are not known. A value
   * that turns something off, such as false or an empty list, is neither.
   */
  void check(ConfigFields fields) throws ModelFormatException {
    refuse(fields);
    List<String> unknown = new ArrayList<>(fields.keysWithEffect());
    unknown.removeAll(known);
    unknown.removeAll(HARMLESS);
    if (!unknown.isEmpty()) {
      LOG.warn(
          "{}: {} not known to this library, which runs the model without; if they change what the"
              + " model computes, its activations are wrong",
          fields.file(),
          (unknown.size() == 1 ? "the key %s is" : "the keys %s are")
              .formatted(String.join(", ", unknown)));
    }
  }

  /** Refuses keys that would change the arithmetic. */
  void refuse(ConfigFields fields) throws ModelFormatException {
    for (String key : fields.keysWithEffect()) {
      String expected = FIXED.getOrDefault(key, fixed.get(key));
      if (expected != null) {
        throw fields.problem(key, expected);
      }
    }
  }
}
