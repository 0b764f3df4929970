#include "recommender/rank/fold_in.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "recommender/model/row_solver.h"

namespace vitrine {

namespace {

Eigen::VectorXf FoldIn(const Model& model, std::span<const Cell> cells) {
  thread_local RowScratch scratch;  // allocated once, as requests come and go
  const FixedSide side = model.FoldInSide();
  Eigen::VectorXf solution(side.width);
  RowSolver(side, model.als, &scratch).Solve(cells, solution.data());
  const auto taste = solution.head(model.factors.cols());
  if (model.fold_in.basis.size() == 0) return taste;
  return model.fold_in.basis * taste;
}

// `history` with what `session` says mixed in.
MixedTaste Mix(const Model& model, const Eigen::VectorXf& history, std::span<const Cell> session,
               float session_share) {
  const Eigen::VectorXf now = FoldIn(model, session);
  const float history_energy = history.dot(model.gramian * history);
  const float now_energy = now.dot(model.gramian * now);
  if (!(history_energy > 0) || !(now_energy > 0)) return {history};
  const float scale = std::sqrt(history_energy / now_energy);
  const MixedTaste shares = {{}, 1 - session_share, session_share * scale};
  return {shares.history_share * history + shares.session_share * now, shares.history_share,
          shares.session_share};
}

}  // namespace

void ProfileBuilder::Add(const Event& event) {
  std::vector<Act>& acts = profile_.acts;
  const size_t before = acts.size();
  bool known = false;
  for (const Item& item : event.items) {
    const std::optional<uint32_t> product =
        catalogue_ == nullptr ? model_.Find(item.product_id) : catalogue_->Find(item.product_id);
    if (!product) continue;
    acts.push_back({event.time_ms, event.kind, *product});
    known = known || *product < model_.products.size();
  }
  if (acts.size() == before) acts.push_back({event.time_ms, event.kind, Act::kNoProduct});
  if (known && model_.weights.Of(event.kind) > 0) ++profile_.history_events;
}

Profile ProfileBuilder::Build() && {
  profile_.cells = CellsOf(model_, profile_.acts);
  profile_.taste = FoldIn(model_, profile_.cells);
  return std::move(profile_);
}

Profile MakeProfile(const Model& model, std::span<const Event> history) {
  ProfileBuilder builder(model);
  for (const Event& event : history) builder.Add(event);
  return std::move(builder).Build();
}

std::vector<Cell> CellsOf(const Model& model, std::span<const Act> acts) {
  std::vector<Cell> cells;
  cells.reserve(acts.size());
  for (const Act& act : acts) {
    if (act.product >= model.products.size()) continue;  // newer, or none
    const float weight = EventWeight(model.weights, act.kind, model.newest_ms - act.time_ms);
    if (weight > 0) cells.push_back({act.product, weight});
  }
  MergeCells(model.weights.cell_weight_max, &cells);
  return cells;
}

Eigen::VectorXf Taste(const Model& model, std::span<const Cell> history,
                      std::span<const Cell> session, float session_share) {
  const Eigen::VectorXf taste = FoldIn(model, history);
  if (session.empty() || std::ranges::equal(session, history)) return taste;
  return Mix(model, taste, session, session_share).taste;
}

MixedTaste MixTastes(const Model& model, const Profile& profile, std::span<const Cell> session,
                     float session_share) {
  if (session.empty() || std::ranges::equal(session, profile.cells)) return {profile.taste};
  return Mix(model, profile.taste, session, session_share);
}

Eigen::VectorXf Taste(const Model& model, const Profile& profile, std::span<const Cell> session,
                      float session_share) {
  return MixTastes(model, profile, session, session_share).taste;
}

}  // namespace vitrine
