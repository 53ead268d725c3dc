require "csv"
require "json"
require "yaml"
require "rexml/document"

module Notes::Export
  def self.csv(notes) = CSV.generate { |csv| notes.each_with_index { |n, i| csv << [i, n] } }
  def self.json(notes) = JSON.pretty_generate(notes)
  def self.yaml(notes) = notes.to_yaml

  def self.xml(notes)
    doc = REXML::Document.new("<notes/>")
    notes.each { |n| doc.root.add_element("note").text = n }
    doc.to_s
  end
end
