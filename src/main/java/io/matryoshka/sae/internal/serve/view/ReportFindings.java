package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.explore.ExplorationReport;
import java.util.Optional;

/** The findings of a corpus that was read here. */
record ReportFindings(ExplorationReport report) implements Findings {

  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public long rows() {
    return report.exploration().statistics().rows();
  }

  @Override
  public Optional<ObjectNode> latent(int latent) {
    return report.json(latent).map(ReportFindings::read);
  }

  private static ObjectNode read(String text) {
    try {
      return (ObjectNode) JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the report wrote no JSON", e);
    }
  }

  @Override
  public double density(int latent) {
    return report.exploration().statistics().density(latent);
  }

  @Override
  public String topTokens(int latent) {
    return report.topTokens(latent);
  }
}
