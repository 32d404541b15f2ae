package io.matryoshka.sae.explore;

import io.matryoshka.sae.eval.LatentStatistics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes one line for each latent. */
final class ExplorationCsv {

  private static final List<String> HEADER =
      List.of("latent,level,firings,density,mean_activation,max_activation,top_tokens".split(","));
  private static final List<String> PROFILE =
      List.of(
          ("nearest_decoder,decoder_cosine,nearest_encoder,encoder_cosine,parent,p_parent,p_child,"
                  + "correlation,absorption_tokens,silent,absorption_fraction,full_absorption")
              .split(","));
  private static final List<String> DIFFERENCE =
      List.of("other_latent,other_density,z,other_mean_activation".split(","));

  private final ExplorationReport report;
  private final Map<Integer, LatentProfile> profiles = new HashMap<>();
  private final Map<Integer, LatentDifference> differences = new HashMap<>();

  ExplorationCsv(ExplorationReport report) {
    this.report = report;
    report.exploration().profiles().forEach(p -> profiles.put(p.latent(), p));
    report
        .comparison()
        .ifPresent(c -> c.differences().forEach(d -> differences.put(d.latent(), d)));
  }

  String text() {
    StringBuilder out = new StringBuilder();
    List<String> header = new ArrayList<>(HEADER);
    header.addAll(PROFILE);
    if (report.comparison().isPresent()) {
      header.addAll(DIFFERENCE);
    }
    line(out, header);
    for (int latent = 0; latent < report.exploration().statistics().size(); latent++) {
      List<String> cells = statistics(latent);
      cells.addAll(profile(latent));
      if (report.comparison().isPresent()) {
        cells.addAll(difference(latent));
      }
      line(out, cells);
    }
    return out.toString();
  }

  private List<String> statistics(int latent) {
    LatentStatistics all = report.exploration().statistics();
    return new ArrayList<>(
        List.of(
            String.valueOf(latent),
            String.valueOf(report.exploration().level(latent)),
            String.valueOf(all.firings(latent)),
            number(all.density(latent)),
            number(all.meanActivation(latent)),
            number(all.maxActivation(latent)),
            report.topTokens(latent)));
  }

  private List<String> profile(int latent) {
    LatentProfile profile = profiles.get(latent);
    if (profile == null) {
      return PROFILE.stream().map(name -> "").toList();
    }
    List<String> cells = new ArrayList<>();
    for (List<Neighbour> neighbours :
        List.of(profile.decoderNeighbours(), profile.encoderNeighbours())) {
      cells.add(neighbours.isEmpty() ? "" : String.valueOf(neighbours.get(0).latent()));
      cells.add(neighbours.isEmpty() ? "" : number(neighbours.get(0).cosine()));
    }
    Coactivation parent = profile.parents().isEmpty() ? null : profile.parents().get(0);
    cells.add(parent == null ? "" : String.valueOf(parent.parent()));
    cells.add(parent == null ? "" : number(parent.parentGivenChild()));
    cells.add(parent == null ? "" : number(parent.childGivenParent()));
    cells.add(parent == null ? "" : number(parent.correlation()));
    Absorption absorption = profile.absorption().orElse(null);
    cells.add(absorption == null ? "" : String.valueOf(absorption.tokens()));
    cells.add(absorption == null ? "" : String.valueOf(absorption.silent()));
    cells.add(absorption == null ? "" : number(absorption.fraction()));
    cells.add(absorption == null ? "" : number(absorption.full()));
    return cells;
  }

  private List<String> difference(int latent) {
    LatentDifference difference = differences.get(latent);
    return difference == null
        ? DIFFERENCE.stream().map(name -> "").toList()
        : List.of(
            String.valueOf(difference.other()),
            number(difference.otherDensity()),
            number(difference.z()),
            number(difference.otherMeanActivation()));
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "" : String.valueOf((float) value);
  }

  private static void line(StringBuilder out, List<String> cells) {
    out.append(cells.stream().map(ExplorationCsv::quote).collect(Collectors.joining(",")))
        .append("\r\n");
  }

  static String quote(String cell) {
    boolean plain = cell.chars().noneMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
    return plain ? cell : "\"" + cell.replace("\"", "\"\"") + "\"";
  }
}
