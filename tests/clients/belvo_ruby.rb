# frozen_string_literal: true

# Belvo's client for Ruby (gem `belvo`) does what its README shows; a JSON line for each step.
require 'json'
require 'belvo'

FROM = '2025-01-01'
TO = '2025-12-31'

def step(name)
  value = yield
  ok = block_fits(value)
  puts JSON.generate(step: name, ok: ok, said: value.to_s[0, 200])
  value
rescue StandardError => e
  puts JSON.generate(step: name, ok: false, said: "#{e.class} #{e.message} #{e.respond_to?(:detail) ? e.detail : ''}"[0, 300])
  nil
ensure
  $stdout.flush
end

def block_fits(value)
  !(value.nil? || value == false || (value.respond_to?(:empty?) && value.empty?))
end

client = Belvo::Client.new(ENV.fetch('BELVO_ID'), ENV.fetch('BELVO_PASSWORD'), ENV.fetch('BELVO_URL'))

step('institutions') { client.institutions.list }
# It drops the query of `next`, so that it reads first pages only: one page each, then.
WHOLE = { page_size: 1000 }.freeze
links = step('links') do
  rows = client.links.list(params: WHOLE)
  rows.length == 3 && rows
end
link = links[0]['id']

made = step('register') do
  client.links.register(
    institution: 'tatooine_mx_fiscal', username: 'PFIS010101XY3', password: 'abcd1234',
    options: { access_mode: Belvo::Link::AccessMode::SINGLE }
  )
end
step('register with a wrong password') do
  client.links.register(institution: 'tatooine_mx_fiscal', username: 'PFIS010101XY4', password: 'wrongpass')
  false
rescue Belvo::RequestError => e
  e.status_code == 400
end
step('register with a token') do
  client.links.register(institution: 'tatooine_mx_fiscal', username: 'PFIS010101XY5', password: 'tokenlogin')
  false
rescue Belvo::RequestError => e
  e.status_code == 428
end
step('new password') { client.links.update(id: made['id'], password: 'efgh5678') }
step('widget') { client.widget_token.create['access'] }
step('widget of a link') { client.widget_token.create(options: { link: link })['access'] }

%w[INFLOW outflow].each do |type|
  step("invoices, #{type}") { client.invoices.retrieve(link: link, date_from: FROM, date_to: TO, type: type) }
end
everything = step('list of invoices') do
  rows = client.invoices.list(params: { link: link, **WHOLE })
  rows.length > 20 && rows
end
step('list of invoices from an amount on') do
  client.invoices.list(params: { link: link, total_amount__gte: 1, type: 'inflow', **WHOLE })
end
step('delete an invoice') { client.invoices.delete(id: everything[0]['id']) }
step('yearly returns, without a type') { client.tax_returns.retrieve(link: link, year_from: 2023, year_to: 2024) }
step('status') { client.tax_status.retrieve(link: link, options: { attach_pdf: true })['id_cif'] }
step('compliance') { client.tax_compliance_status.retrieve(link: link)['outcome'] }
step('delete a link') { client.links.delete(id: made['id']) }
step('a link that is gone') { client.links.delete(id: made['id']) == false }
